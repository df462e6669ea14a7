<?php

declare(strict_types=1);

namespace Fernhill\OrderNotes\Controller\Adminhtml\Note;

use Fernhill\OrderNotes\Model\NoteFactory;
use Fernhill\OrderNotes\Model\ResourceModel\Note as NoteResource;
use Magento\Backend\App\Action;
use Magento\Backend\App\Action\Context;
use Magento\Framework\App\Action\HttpPostActionInterface;
use Magento\Framework\Controller\Result\Redirect;

/**
 * Deletes a note for good. POST with form key only.
 */
class Delete extends Action implements HttpPostActionInterface
{
    public const ADMIN_RESOURCE = 'Fernhill_OrderNotes::delete';

    public function __construct(
        Context $context,
        private readonly NoteFactory $notes,
        private readonly NoteResource $noteResource
    ) {
        parent::__construct($context);
    }

    public function execute(): Redirect
    {
        $note = $this->notes->create();
        $this->noteResource->load($note, (int)$this->getRequest()->getParam('note_id'));
        $redirect = $this->resultRedirectFactory->create();
        if (!$note->getId()) {
            $this->messageManager->addErrorMessage(__('This note is gone already.'));
            return $redirect->setPath('sales/order');
        }
        $this->noteResource->delete($note);
        $this->messageManager->addSuccessMessage(__('The note is deleted.'));
        return $redirect->setPath(
            'sales/order/view',
            ['order_id' => $note->getOrderId(), 'active_tab' => 'fernhill_order_notes']
        );
    }
}
