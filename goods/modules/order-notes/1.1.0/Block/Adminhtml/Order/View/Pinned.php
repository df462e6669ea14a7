<?php

declare(strict_types=1);

namespace Fernhill\OrderNotes\Block\Adminhtml\Order\View;

use Fernhill\OrderNotes\Model\Note;
use Fernhill\OrderNotes\Model\ResourceModel\Note\CollectionFactory;
use Magento\Backend\Block\Template;
use Magento\Backend\Block\Template\Context;

/**
 * The pinned notes on the order's first tab. Renders nothing without notes or without the permission to see them.
 */
class Pinned extends Template
{
    public function __construct(
        Context $context,
        private readonly CollectionFactory $collections,
        array $data = []
    ) {
        parent::__construct($context, $data);
    }

    /** @return Note[] */
    public function getNotes(): array
    {
        if (!$this->_authorization->isAllowed('Fernhill_OrderNotes::notes')) {
            return [];
        }
        $orderId = (int)$this->getRequest()->getParam('order_id');
        return $this->collections->create()->ofOrder($orderId)->pinnedOnly()->getItems();
    }
}
