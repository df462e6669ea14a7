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
 * Pins a note or takes it down. POST with form key only.
 */
class Pin extends Action implements HttpPostActionInterface
{
    public const ADMIN_RESOURCE = 'Fernhill_OrderNotes::write';

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
        $pinned = (bool)$this->getRequest()->getParam('pinned');
        $this->noteResource->save($note->pin($pinned));
        $this->messageManager->addSuccessMessage(
            $pinned ? __('The note is pinned.') : __('The note is no longer pinned.')
        );
        return $redirect->setPath(
            'sales/order/view',
            ['order_id' => $note->getOrderId(), 'active_tab' => 'fernhill_order_notes']
        );
    }
}
