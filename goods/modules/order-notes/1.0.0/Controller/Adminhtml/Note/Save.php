<?php

declare(strict_types=1);

namespace Fernhill\OrderNotes\Controller\Adminhtml\Note;

use Fernhill\OrderNotes\Model\NoteFactory;
use Fernhill\OrderNotes\Model\ResourceModel\Note as NoteResource;
use Magento\Backend\App\Action;
use Magento\Backend\App\Action\Context;
use Magento\Framework\App\Action\HttpPostActionInterface;
use Magento\Framework\Controller\Result\Redirect;
use Magento\Framework\Exception\LocalizedException;
use Magento\Sales\Api\OrderRepositoryInterface;

/**
 * Adds a note to an order. POST with form key only.
 */
class Save extends Action implements HttpPostActionInterface
{
    public const ADMIN_RESOURCE = 'Fernhill_OrderNotes::write';

    public function __construct(
        Context $context,
        private readonly OrderRepositoryInterface $orders,
        private readonly NoteFactory $notes,
        private readonly NoteResource $noteResource
    ) {
        parent::__construct($context);
    }

    public function execute(): Redirect
    {
        $orderId = (int)$this->getRequest()->getParam('order_id');
        $redirect = $this->resultRedirectFactory->create();
        try {
            $this->orders->get($orderId); // throws if there is no such order
            $user = $this->_auth->getUser();
            $note = $this->notes->create()->write(
                $orderId,
                (int)$user->getId(),
                trim($user->getFirstName() . ' ' . $user->getLastName()),
                (string)$this->getRequest()->getPost('body')
            );
            $this->noteResource->save($note);
            $this->messageManager->addSuccessMessage(__('The note is saved.'));
        } catch (LocalizedException $problem) {
            $this->messageManager->addErrorMessage($problem->getMessage());
        }
        return $redirect->setPath(
            'sales/order/view',
            ['order_id' => $orderId, 'active_tab' => 'fernhill_order_notes']
        );
    }
}
